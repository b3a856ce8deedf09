<?xml version="1.0" encoding="UTF-8"?>
<tileset version="1.8" tiledversion="1.8.2" name="imp_2" tilewidth="8" tileheight="8" spacing="2" margin="2" tilecount="2" columns="2">
 <image source="imp_2.png" width="22" height="12"/>
 <tile id="0" type="imp">
  <properties>
   <property name="name" value="imp_000004"/>
   <property name="score" type="float" value="0.7500"/>
   <property name="slot" type="int" value="4"/>
  </properties>
 </tile>
</tileset>
